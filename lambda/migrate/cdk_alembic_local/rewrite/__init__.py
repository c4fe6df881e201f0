"""Takes revisions apart and writes them anew: what `review --fix` and `create` change in files. Requires no database."""
