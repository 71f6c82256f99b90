"""Signing in: passwords, second factors, sessions, limits, tokens, recovery, a city's identity provider."""
