"""The blueprint of all pages. Routes are added through permissions.route, never directly."""

from flask import Blueprint

web = Blueprint("web", __name__)
