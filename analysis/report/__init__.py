"""One self-contained page on what was run, what it says about the paper, and every run behind it.

``build`` gathers the parts, each made by a module of its own, and fills ``report.html.jinja``. It
draws figures no second time and judges no claim: it shows what the chapters below have written.
"""
