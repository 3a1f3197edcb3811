-- trick: zero-width spaces between the digits
-- expect: masked
-- unlabelled: masked
-- decode: digits

select regexp_replace(pan, '(.)', '\1' || chr(8203), 'g') from cards
