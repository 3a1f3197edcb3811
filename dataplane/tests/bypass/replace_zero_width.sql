-- trick: zero-width spaces between the digits
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select regexp_replace(pan, '(.)', '\1' || chr(8203), 'g') from cards
