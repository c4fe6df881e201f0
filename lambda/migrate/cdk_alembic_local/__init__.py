"""Replays a backend's migrations on a scratch database and reports what it sees (lib/contract/facts.ts). TypeScript judges it."""
