-- trick: from base64 again
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select from_base64(to_base64(pan)) from cards
