"""How exhibits look and read: labels and numbers in two languages, charts, tables, pages, CSV files.

`catalogue/looks.toml` says what an exhibit is (a fan, bars, a table) and in which unit its columns are; one file a
language beside it holds every title, heading, note and label; `pages/<report>.<language>.md` holds a report's prose and
places exhibits and numbers by name; `text/` holds the words of the page itself. Pages are made from executed notebooks:
`notebook` reads them, `pages` makes pieces of them, `html` sets the pieces; `readable` joins an exhibit and its words.
"""
