-- trick: binary rows
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: binary

select pan, pan_number, cast(pan_number as decimal(20)), pan_number + 0e0, cast(pan as binary) from cards
