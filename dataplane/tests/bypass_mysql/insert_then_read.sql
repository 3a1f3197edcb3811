-- trick: into a column without label, then read
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- send: simple

begin; insert into settlements (card_id, amount, note) select id, 77, pan from cards where id = 1; select note from settlements where amount = 77; rollback
