"""What an audit shows beside its verdict: schools, terms, proxies, other outcomes, discretion, practice."""
