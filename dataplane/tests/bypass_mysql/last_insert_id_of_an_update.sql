-- trick: the last number, in the OK packet
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

begin; update settlements set note = last_insert_id((select pan_number from cards where id = 1)) where id = 4; rollback
