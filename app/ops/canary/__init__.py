"""Belfry's own run from one end to the other, each minute: what no part can say of itself, its coming through says."""
