"""What a reader sees: blocks of a report, and the pages, charts and tables made from them.

A report is data first. A notebook shows `blocks`; the executed notebook holds them as JSON; `notebook_reader`
reads them back; `html`, `charts`, `tables` and `site` are pure functions of them. Texts live in one catalogue
a language (`text/en.toml`, `text/zh.toml`); `catalogue` writes numbers as the reader's language does.
"""
