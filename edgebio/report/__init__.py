"""Pages, charts and their style; what a page shows is composed by tasks, evaluation, search."""
