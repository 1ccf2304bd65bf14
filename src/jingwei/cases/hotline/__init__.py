"""The hotline (12345): calls, what is answered from the articles, and the cases that calls become."""
