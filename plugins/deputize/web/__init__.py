"""The pages' shell: layout, look, words and view models of every page that a person meets.

Low in the house: it knows no room. A room fills a view model of `pages` and gives it to
`shell.render`; templates read fields and decide nothing.
"""
