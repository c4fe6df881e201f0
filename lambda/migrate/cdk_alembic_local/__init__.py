"""Replays a backend's migrations on a scratch database and reports facts (lib/contract/facts). TypeScript judges them."""
