-- trick: several statements in one text
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: simple

select 1; select pan from cards; select 'x' || pan from cards
