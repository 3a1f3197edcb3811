-- trick: INSERT … RETURNING
-- expect: masked
-- unlabelled: masked
-- decode: digits

begin; insert into settlements (card_id, amount, note) select id, 1, pan from cards where id = 1 returning note; rollback
