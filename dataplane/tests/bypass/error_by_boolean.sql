-- trick: an assignment that fails
-- expect: masked
-- unlabelled: masked
-- decode: digits

insert into settlements (card_id, amount, settled) select 1, 1, pan::boolean from cards where id = 1
