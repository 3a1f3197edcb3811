-- trick: what an INSERT returns
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- send: simple

begin; insert into settlements (card_id, amount, note) select id, 79, pan from cards where id = 1 returning note; rollback
