"""What people see in a browser: the results page and the documentation, all served from the package."""
