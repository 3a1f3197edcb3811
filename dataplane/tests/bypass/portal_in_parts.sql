-- trick: a portal fetched row by row
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: portal 1, portal 2

select id, pan, pan_number from cards
