-- trick: several statements, one of them denied
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple

select pan from cards; drop table nothing_of_that_name
