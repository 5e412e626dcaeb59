"""What an application notices of a broker that is away."""
