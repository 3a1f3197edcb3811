-- trick: several statements
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: simple

select 1; select pan from cards; select note from settlements
