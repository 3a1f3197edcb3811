-- trick: rows fetched by a cursor, two at a time
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: portal 2

select pan, pan_number from cards order by id
