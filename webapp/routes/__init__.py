"""The doors, one file each. Flask ends here: below, nothing knows a request."""
