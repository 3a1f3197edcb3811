-- trick: what a DELETE returns
-- expect: held
-- unlabelled: held
-- decode: digits
-- send: simple

delete from cards where id = 5 returning pan
