"""Replays a backend's migrations on a scratch database and reports what it sees (lib/facts.ts). TypeScript judges it."""
