-- trick: a letter between all digits
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select regexp_replace(pan, '(.)', '\1x', 'g') from cards
