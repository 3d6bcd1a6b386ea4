"""Tables that people bring: from the bytes of a file to times and values, with all that was recognised on the way."""
