-- trick: REPLACE, then read
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple

begin; replace into settlements (id, card_id, amount, note) select 900, id, 80, pan from cards where id = 1; select note from settlements where id = 900; rollback
