-- trick: behind one that is denied
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: pipelined

drop table nothing_of_that_name

select pan from cards
