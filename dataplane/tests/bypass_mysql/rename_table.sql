-- trick: the table under another name
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple

rename table cards to settlements_of_old

select pan from settlements_of_old

rename table settlements_of_old to cards
