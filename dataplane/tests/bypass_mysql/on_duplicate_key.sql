-- trick: ON DUPLICATE KEY UPDATE, then read
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- send: simple

begin; insert into settlements (id, card_id, amount) values (3, 1, 1) on duplicate key update note = (select pan from cards where id = 1); select note from settlements where id = 3; rollback
