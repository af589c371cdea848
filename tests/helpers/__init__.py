"""What several test files share: made tables, trained cells, copies of the project, a web server."""
