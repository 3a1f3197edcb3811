-- trick: halves fetched by a cursor
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined
-- send: portal 1

select substr(pan, 1, 8), substr(pan, 9) from cards where id = 1
