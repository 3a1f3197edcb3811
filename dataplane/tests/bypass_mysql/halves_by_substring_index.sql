-- trick: halves around a digit
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select substring_index(pan, '5', 1), 5, mid(pan, 2) from cards where id = 2 and substring_index(pan, '5', 1) = ''
