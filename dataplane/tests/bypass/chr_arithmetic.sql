-- trick: chr of ascii plus 49: letters
-- expect: masked
-- unlabelled: out-of-reach
-- decode: translated:abcdefghij

select string_agg(chr(ascii(digit) + 49), '') from cards, string_to_table(pan, null) digit group by id
