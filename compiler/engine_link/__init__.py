"""Networks on an engine behind a link, their inputs streamed."""
