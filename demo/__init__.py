"""The product beside fake providers, with an organization to look at. No part of an installation."""
