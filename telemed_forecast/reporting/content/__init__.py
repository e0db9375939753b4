"""What each report says: results in, blocks out. One module a report; words live in the catalogue."""
