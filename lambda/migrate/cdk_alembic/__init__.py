"""Runs a backend's Alembic migrations and answers with facts. TypeScript decides, deploys and presents."""
