-- trick: letters for digits
-- expect: masked
-- unlabelled: out-of-reach
-- decode: translated:abcdefghij

select replace(replace(replace(replace(replace(replace(pan, '1', 'b'), '4', 'e'), '5', 'f'), '0', 'a'), '6', 'g'), '7', 'h') from cards where id in (1, 2, 4)
