-- trick: MERGE from labelled to unlabelled
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

begin; merge into settlements s using cards c on s.card_id = c.id when matched then update set note = c.pan; select note from settlements order by id; rollback
