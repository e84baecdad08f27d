"""Klines of Binance (and exchanges that speak its API): the websocket's closed bars, REST where it told nothing.

venue       which of its markets, where, and what a request costs
frames      what the websocket sends, as klines        pages     what REST answers, as klines
sequence    a symbol's bars in order, each once, and its ticks: pure, without a clock
clock       the exchange's time                        pauses    how long to wait before asking again
rest, connection, live   the input and output around them; metrics counts what happened
"""
