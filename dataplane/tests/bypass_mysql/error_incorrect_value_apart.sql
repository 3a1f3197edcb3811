-- trick: the value that a column does not take, backwards
-- expect: masked
-- unlabelled: out-of-reach
-- decode: reversed

insert into settlements (card_id, amount) select id, concat('x', reverse(pan)) from cards where id = 1
