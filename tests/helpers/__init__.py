"""What several test files share: made tables, thetas and claims, trained cells, the project's copies, a web server."""
