"""What a report shows, as data: tidy frames with names, numbers with names, and the claims that they rest on.

One module a report. `exhibits(...)` gives its tables and charts by name, `numbers(...)` what its prose and its key
figures say by name. Nothing here knows a language or a page: titles, headings, units' names and the layout stand in
`render/`, which a table, a chart, a CSV file and a workbook read from the same frame.
"""
