-- trick: a binary cursor
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: simple

begin; declare c binary cursor for select pan, pan_number, pan_number::float8, pan_number::numeric from cards; fetch all from c; rollback
