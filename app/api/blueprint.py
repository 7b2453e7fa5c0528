"""The blueprint of the API. Routes are added through resource.resource, never directly."""

from flask import Blueprint

PREFIX = "/api"
VERSION_PREFIX = f"{PREFIX}/v1"

api = Blueprint("api", __name__)
