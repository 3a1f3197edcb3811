-- trick: digits to letters
-- expect: masked
-- unlabelled: out-of-reach
-- decode: translated:abcdefghij

select translate(pan, '0123456789', 'abcdefghij') from cards
