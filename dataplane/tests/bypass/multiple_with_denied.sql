-- trick: an allowed statement before a denied one
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple

select pan from cards; drop table cards
